/** A process of users; the coordinator asks it for tasks (tasks.ts) over the channel it was forked with. */
import { Crew } from './crew.ts';
import { serve } from './rpc.ts';

serve(new Crew());
